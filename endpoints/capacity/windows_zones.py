"""What Azure Monitor calls a time zone: its recurrences know zones by the names that Windows has for them. Pure.

Zones of today's use, with whole and half offsets; one that is missing here has no schedule made for it, never another
zone's. Daylight saving is the zone's own: Azure follows it by the name.
"""

from __future__ import annotations

_ZONES = {
    "UTC": "UTC Etc/UTC Etc/GMT GMT",
    "GMT Standard Time": "Europe/London Europe/Dublin Europe/Lisbon",
    "W. Europe Standard Time": "Europe/Berlin Europe/Amsterdam Europe/Zurich Europe/Vienna Europe/Rome Europe/Stockholm"
    " Europe/Oslo Europe/Luxembourg Europe/Malta Europe/Monaco Europe/San_Marino Europe/Vaduz Europe/Vatican",
    "Romance Standard Time": "Europe/Paris Europe/Brussels Europe/Madrid Europe/Copenhagen",
    "Central Europe Standard Time": "Europe/Budapest Europe/Prague Europe/Bratislava Europe/Belgrade Europe/Ljubljana",
    "Central European Standard Time": "Europe/Warsaw Europe/Zagreb Europe/Sarajevo Europe/Skopje",
    "GTB Standard Time": "Europe/Athens Europe/Bucharest",
    "FLE Standard Time": "Europe/Helsinki Europe/Riga Europe/Tallinn Europe/Vilnius Europe/Sofia Europe/Kyiv"
    " Europe/Kiev",
    "Turkey Standard Time": "Europe/Istanbul",
    "Russian Standard Time": "Europe/Moscow",
    "Greenwich Standard Time": "Atlantic/Reykjavik",
    "South Africa Standard Time": "Africa/Johannesburg",
    "Egypt Standard Time": "Africa/Cairo",
    "W. Central Africa Standard Time": "Africa/Lagos",
    "E. Africa Standard Time": "Africa/Nairobi",
    "Israel Standard Time": "Asia/Jerusalem",
    "Arab Standard Time": "Asia/Riyadh Asia/Kuwait",
    "Arabian Standard Time": "Asia/Dubai",
    "Pakistan Standard Time": "Asia/Karachi",
    "India Standard Time": "Asia/Kolkata Asia/Calcutta",
    "Bangladesh Standard Time": "Asia/Dhaka",
    "SE Asia Standard Time": "Asia/Bangkok Asia/Jakarta Asia/Ho_Chi_Minh",
    "China Standard Time": "Asia/Shanghai Asia/Hong_Kong Asia/Macau",
    "Singapore Standard Time": "Asia/Singapore Asia/Kuala_Lumpur Asia/Manila",
    "Taipei Standard Time": "Asia/Taipei",
    "Tokyo Standard Time": "Asia/Tokyo",
    "Korea Standard Time": "Asia/Seoul",
    "W. Australia Standard Time": "Australia/Perth",
    "Cen. Australia Standard Time": "Australia/Adelaide",
    "AUS Central Standard Time": "Australia/Darwin",
    "E. Australia Standard Time": "Australia/Brisbane",
    "AUS Eastern Standard Time": "Australia/Sydney Australia/Melbourne Australia/Canberra",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Hawaiian Standard Time": "Pacific/Honolulu",
    "Alaskan Standard Time": "America/Anchorage",
    "Pacific Standard Time": "America/Los_Angeles America/Vancouver",
    "US Mountain Standard Time": "America/Phoenix",
    "Mountain Standard Time": "America/Denver America/Edmonton",
    "Central Standard Time": "America/Chicago America/Winnipeg",
    "Central Standard Time (Mexico)": "America/Mexico_City",
    "Eastern Standard Time": "America/New_York America/Toronto America/Detroit",
    "SA Pacific Standard Time": "America/Bogota America/Lima",
    "Atlantic Standard Time": "America/Halifax",
    "Newfoundland Standard Time": "America/St_Johns",
    "Pacific SA Standard Time": "America/Santiago",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Argentina Standard Time": "America/Buenos_Aires America/Argentina/Buenos_Aires",
}
_BY_IANA = {iana: windows for windows, names in _ZONES.items() for iana in names.split()}


def windows_zone(iana: str) -> str:
    """ "W. Europe Standard Time" for "Europe/Berlin"; "" where it is not known here."""
    return _BY_IANA.get(iana, "")
