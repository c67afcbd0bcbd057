"""What a mobile app's SDK says: devices, their users, events, what became of a push (wire 7)."""
