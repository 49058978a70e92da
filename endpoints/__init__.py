"""The product: rooms that look down only, from the pages to the mirror of Azure. Holds no models itself."""
