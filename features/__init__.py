"""From files to growth profiles: the column register, reading, the vault, the panel, the profile."""
