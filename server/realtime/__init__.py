"""What runs between requests: open sockets, the control stream, leases, deadlines."""
