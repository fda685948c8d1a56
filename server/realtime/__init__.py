"""What runs between requests: open sockets, the control stream, the lease and the fence."""
