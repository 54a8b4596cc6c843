"""Methods compared with statistics."""
