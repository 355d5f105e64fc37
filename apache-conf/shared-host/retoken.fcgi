#!/bin/sh
: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}" # not every server sets it
export RETOKEN_HOME="${RETOKEN_HOME:-$HOME/retoken/data}"
exec "${RETOKEN_FCGI:-$HOME/retoken/retoken.fcgi}" # and no "$@": a CGI's arguments come from clients
