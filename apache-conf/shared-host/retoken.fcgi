#!/bin/sh
: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}" # not every server sets it
export RETOKEN_HOME="${RETOKEN_HOME:-$HOME/retoken/data}"
program="${RETOKEN_FCGI:-$HOME/retoken/retoken.fcgi}"
# As a CGI script the one without shared libraries, where you have both: it starts faster.
[ -z "$GATEWAY_INTERFACE" ] || [ ! -x "${program%.fcgi}.cgi" ] || program="${program%.fcgi}.cgi"
exec "$program" # and no "$@": a CGI's arguments come from clients
