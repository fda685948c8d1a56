"""What every HTTP request shares: session, access, origins, bodies, errors."""
