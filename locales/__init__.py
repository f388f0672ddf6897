"""What people read, in Vietnamese and English."""
