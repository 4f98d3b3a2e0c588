"""What the organisation runs: services, what they depend on, who owns them, what people use them for."""
