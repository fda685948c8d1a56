"""What operators read: log lines, the audit trail and metrics."""
