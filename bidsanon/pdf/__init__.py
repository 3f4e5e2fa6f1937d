"""What a PDF says: the letters on its pages, and everything that stands in its objects.

It is read in a process of its own (:func:`bidsanon.apart.read_apart`); nothing else imports pypdf.
"""

READER = "bidsanon.pdf"
"""The module that reads one."""
