"""What the DICOM standard says: its dictionary, Annex E of PS3.15, files, encodings and vendors."""
