"""The least code that reads the same facts, which ours is measured beside."""
