"""Short training runs that differ in one thing, one after another in a process."""
