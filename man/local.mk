## man: the manual
dist_man_MANS = man/retoken.1 man/retoken.conf.5 man/retoken-dialect.5 man/retoken.fcgi.8
