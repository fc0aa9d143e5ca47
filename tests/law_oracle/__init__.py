"""A second reading of the law, written from the documents alone, to judge the first one by.

One plain function per criterion, for one firm whose figures are all known, in fractions. What is
missing is None; :mod:`law_oracle.completions` then tries whatever it might be. Nothing here knows
``policy`` or its data; slow and obvious is the point.
"""
