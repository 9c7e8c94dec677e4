"""What runs in the guest, and what both sides agree on."""
