"""Reads of the room, as frozen rows. They take the ids of what may be looked at and ask for nobody's rights."""
