"""What trains a problem: the compiled loop, or the stepped one."""
