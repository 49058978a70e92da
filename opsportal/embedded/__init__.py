"""Everything on one machine, without Docker and without root: servers, supervisor, development stack."""
