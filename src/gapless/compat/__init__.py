"""Names that users of other packages have in their programs already."""
