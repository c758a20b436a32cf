"""Orders: placed, priced by the server, paid with commission, shipped, delivered, closed or cancelled."""
