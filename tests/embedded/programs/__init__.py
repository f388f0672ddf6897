"""Small programs that the tests of the stack run as its children."""
