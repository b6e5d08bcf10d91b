"""The doors outside: every vendor library stays behind one of these."""
