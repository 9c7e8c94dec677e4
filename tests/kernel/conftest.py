"""The guest's tests run in the guest: pytest on the host leaves them alone."""

collect_ignore = ["guest"]
