"""What a PDF says: the letters on its pages, and everything that stands in its objects.

A PDF is read in a process of its own (``python -m bidsanon.pdf``), which is bounded in memory and
time: :func:`bidsanon.pdf.reading.read_pdf` starts it. Nothing else imports pypdf.
"""
