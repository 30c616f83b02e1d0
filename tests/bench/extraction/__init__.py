"""Test files made from texts of which every sentence is known, and how much of them extraction recovers.

    python -m tests.bench.extraction                      makes the files in a temporary folder and measures
    python -m tests.bench.extraction --keep FOLDER        keeps them, and makes anew only what is not there
    python -m tests.bench.extraction --failures           shows what was not recovered, of the development half

It needs Chromium and Tesseract, which `make test` installs, and LibreOffice with patterns for hyphenation:
`apt-get install libreoffice-writer libreoffice-calc libreoffice-impress hyphen-de hyphen-en-us hyphen-pl`.
"""
