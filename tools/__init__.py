"""Scripts of the checkout; nothing here is part of the installed package."""
