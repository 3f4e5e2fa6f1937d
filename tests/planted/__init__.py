"""The planted-identifier suite, in the manner of MIDI-B.

Identifying values are planted wherever DICOM has room for one, the files go through a
de-identifier, and each planted value is a check of one kind: was it removed, was it replaced, did
what must stay stay? What is expected comes from Table E.1-1 as the standard prints it, and the
results are read with pydicom and byte by byte, never with the package's own parser or profile: the
suite can fail.

``benchmarks/planted.py`` prints the score of bidsanon and of other de-identifiers.
"""
