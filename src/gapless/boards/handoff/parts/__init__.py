"""What each kind of block in a design becomes on a board."""
