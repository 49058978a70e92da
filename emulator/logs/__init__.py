"""Log Analytics: the logs that diagnostic settings send there, and the query API over them."""
