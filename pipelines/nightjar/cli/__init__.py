"""The front door: the nightjar command."""
