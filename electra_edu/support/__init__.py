"""What every room stands on: errors, checked arguments, strict reading, whole writing."""
