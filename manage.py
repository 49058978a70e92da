#!/usr/bin/env python
"""Django's command line. Production settings are the default, so that nothing unsafe runs by accident."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsportal.settings.production")
    execute_from_command_line(sys.argv)
