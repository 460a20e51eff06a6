package installed

import "github.com/halfopen-lab/halfopen/scenarios/audit"

// service is a program as Debian's package has it, and what its documentation says of idle
// connections.
type service struct {
	name       string // of the row
	request    audit.Request
	documented string // with its source
}

// http is a request to a web server, which keeps the connection.
const http = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

// mqttConnect is an MQTT CONNECT with a keepalive of 60 s (MQTT 3.1.1, 3.1).
const mqttConnect = "\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01h"

// services are the servers of the table, each with the command of its unit.
var services = []service{
	{"redis-server", audit.Request{Packages: []string{"redis-server"}, Server: "redis-server /etc/redis/redis.conf --daemonize no", Port: 6379, Send: "PING\r\n"},
		"`tcp-keepalive 300`: a probe after 300 s, then each 100 s, 3 in all; `timeout 0` ([redis.conf](https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/))"},
	{"memcached", audit.Request{Packages: []string{"memcached"}, Server: "/usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf", Port: 11211, Send: "version\r\n"},
		"`idle_timeout` 0: sends nothing; keepalive is on (memcached(1), protocol.txt)"},
	{"nginx", audit.Request{Packages: []string{"nginx"}, Server: "nginx -g 'daemon off;'", Port: 80, Send: http},
		"`keepalive_timeout 75s` ([nginx](https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout))"},
	{"apache2", audit.Request{Packages: []string{"apache2"}, Server: "apachectl start", Port: 80},
		"`RequestReadTimeout header=20-40`: 20 s for a request's first line (/etc/apache2/mods-enabled/reqtimeout.conf)"},
	{"lighttpd", audit.Request{Packages: []string{"lighttpd"}, Server: "lighttpd -D -f /etc/lighttpd/lighttpd.conf", Port: 80},
		"`server.max-read-idle` 60 ([lighttpd](https://redmine.lighttpd.net/projects/lighttpd/wiki/Server_max-read-idleDetails))"},
	{"haproxy", audit.Request{Packages: []string{"haproxy"}, Server: "haproxy -W -f /etc/haproxy/haproxy.cfg -f scripts/installed/haproxy.cfg", Port: 80},
		"`timeout client 50000` (/etc/haproxy/haproxy.cfg)"},
	{"mariadb-server", audit.Request{Packages: []string{"mariadb-server"}, Server: "mariadbd", User: "mysql", Port: 3306},
		"`connect_timeout` 10, before login ([MariaDB](https://mariadb.com/docs/server/server-management/variables-and-modes/server-system-variables))"},
	{"postgresql-15, before login", audit.Request{Packages: []string{"postgresql-15"}, Server: postgres, User: "postgres", Port: 5432},
		"`authentication_timeout` 1 min ([PostgreSQL](https://www.postgresql.org/docs/15/runtime-config-connection.html))"},
	{"postgresql-15, with psql", audit.Request{Packages: []string{"postgresql-15"}, Server: postgres, User: "postgres", Port: 5432,
		Take: []string{"scripts/installed/pg_hba.conf:/etc/postgresql/15/main/pg_hba.conf"}, Client: "sh -c 'sleep 100000000 | psql --host={server} --port={port} --username=postgres'"},
		"`tcp_keepalives_idle` 0: the system's 7200 s ([PostgreSQL](https://www.postgresql.org/docs/15/runtime-config-connection.html))"},
	{"mosquitto", audit.Request{Packages: []string{"mosquitto"}, Server: "mosquitto -c /etc/mosquitto/mosquitto.conf", Port: 1883, Send: mqttConnect},
		"one and a half times the client's keepalive of 60 s (MQTT 3.1.1, 3.1.2.10)"},
	{"nats-server", audit.Request{Packages: []string{"nats-server"}, Server: "nats-server -c /etc/nats-server.conf", Port: 4222},
		"`ping_interval` 2 min, `ping_max` 2 ([NATS](https://docs.nats.io/running-a-nats-service/configuration))"},
	{"rabbitmq-server", audit.Request{Packages: []string{"rabbitmq-server"}, Server: "rabbitmq-server", User: "rabbitmq", Port: 5672},
		"`handshake_timeout` 10 s ([RabbitMQ](https://www.rabbitmq.com/docs/configure))"},
	{"openssh-server, before login", audit.Request{Packages: []string{"openssh-server"}, Server: "/usr/sbin/sshd -D", Port: 22},
		"`LoginGraceTime` 120 (sshd_config(5))"},
	{"vsftpd", audit.Request{Packages: []string{"vsftpd"}, Server: "vsftpd /etc/vsftpd.conf", Port: 21, Send: "NOOP\r\n"},
		"`idle_session_timeout` 300 (vsftpd.conf(5))"},
	{"dovecot-imapd, before login", audit.Request{Packages: []string{"dovecot-imapd"}, Server: "dovecot -F", Port: 143, Send: "a NOOP\r\n"},
		"3 min before login ([Dovecot](https://doc.dovecot.org/2.3/configuration_manual/timeouts/))"},
	{"prosody", audit.Request{Packages: []string{"prosody"}, Server: "prosody -F", User: "prosody", Port: 5222, Send: "<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"},
		"`c2s_timeout` 300 before login ([Prosody](https://prosody.im/doc/configure))"},
	{"slapd", audit.Request{Packages: []string{"slapd"}, Server: "/etc/init.d/slapd start", Port: 389},
		"`olcIdleTimeout` 0: never (slapd-config(5))"},
	{"squid", audit.Request{Packages: []string{"squid"}, Server: "squid --foreground -sYC", Port: 3128},
		"`request_start_timeout` 5 minutes ([Squid](https://www.squid-cache.org/Doc/config/request_start_timeout/))"},
	{"pgbouncer", audit.Request{Packages: []string{"pgbouncer"}, Server: "pgbouncer /etc/pgbouncer/pgbouncer.ini", User: "postgres", Port: 6432},
		"`client_login_timeout` 60 s ([PgBouncer](https://www.pgbouncer.org/config.html))"},
}

const postgres = "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf"
