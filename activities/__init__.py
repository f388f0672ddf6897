"""Side effects of a delegation: what its recorded decisions asked for, carried out and reported back."""
