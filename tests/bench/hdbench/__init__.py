"""What scripts/bench is made of: processes and their cost, the servers, SIPp, a small phone."""
