"""What the BIDS standard says: names, tables, sidecars and the dataset's own files."""
