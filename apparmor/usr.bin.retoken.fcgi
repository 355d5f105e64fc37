# SPDX-License-Identifier: ISC
# AppArmor profile of the responder. It complains and forbids nothing: when the log of your
# installation shows no complaint, take `complain` out of the flags and load it again. The Debian
# package has installed it; otherwise:
#
#   install -m 644 usr.bin.retoken.fcgi /etc/apparmor.d/
#   apparmor_parser -r /etc/apparmor.d/usr.bin.retoken.fcgi && systemctl restart retoken
#
# Other places of the data, and a store or a hook elsewhere, go into local/usr.bin.retoken.fcgi.
abi <abi/3.0>,

include <tunables/global>

profile retoken.fcgi /usr/bin/retoken.fcgi flags=(attach_disconnected,complain) {
  include <abstractions/base>

  /usr/bin/retoken.fcgi mr,
  /etc/retoken/ r,
  /etc/retoken/** r,
  /run/credentials/retoken.service/* r,
  @{PROC}/sys/kernel/random/boot_id r,
  owner @{PROC}/@{pid}/stat r,

  owner /var/lib/retoken/ r,
  owner /var/lib/retoken/** rwk,
  owner /var/log/retoken/*.log w,
  owner /run/retoken/*.sock rw,

  # systemd and the log daemon
  /run/systemd/notify w,
  /run/systemd/journal/socket w,
  /run/systemd/journal/dev-log w,

  # started by root, it becomes the owner of the data
  capability setuid,
  capability setgid,
  /etc/passwd r,
  /etc/group r,
  /etc/nsswitch.conf r,

  signal (receive) set=(term, int, hup, usr1, kill, abrt),
  deny network raw,
  deny network packet,

  # A store on PostgreSQL, a hook that is reached by TCP:
  #include <abstractions/nameservice>
  #include <abstractions/ssl_certs>

  include if exists <local/usr.bin.retoken.fcgi>
}
