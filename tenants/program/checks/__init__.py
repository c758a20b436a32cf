"""The sense of a program, a module for each part of the document; ``validate`` lists the checks."""
