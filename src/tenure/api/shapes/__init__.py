"""What goes over the wire: one form for each thing, made from the value and never more than the value."""
