package installed

import (
	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/scenarios/audit"
)

// service is a program as Debian's package has it, and what its documentation says of idle
// connections.
type service struct {
	name       string // of the row
	request    audit.Request
	file       string // that has the request; empty: request is it
	documented string // with its source
}

// says returns a ready-made conversation.
func says(name string) conversation.Conversation { return conversation.Conversation{Like: name} }

// as returns the setup of packages whose server its unit starts as a user.
func as(user string, packages ...string) audit.Setup {
	return audit.Setup{Packages: packages, User: user}
}

// services are the servers of the table, each with the command of its unit.
var services = []service{
	{"redis-server", audit.Request{Setup: as("root", "redis-server"), Server: audit.Program{Command: "redis-server /etc/redis/redis.conf --daemonize no"}, Port: 6379, Conversation: says("redis")}, "",
		"`tcp-keepalive 300`: a probe after 300 s, then each 100 s, 3 in all; `timeout 0` ([redis.conf](https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/))"},
	{"memcached", audit.Request{Setup: as("root", "memcached"), Server: audit.Program{Command: "/usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf"}, Port: 11211, Conversation: says("memcached")}, "",
		"`idle_timeout` 0: sends nothing; keepalive is on (memcached(1), protocol.txt)"},
	{"nginx", audit.Request{Setup: as("root", "nginx"), Server: audit.Program{Command: "nginx -g 'daemon off;'"}, Port: 80, Conversation: says("http")}, "",
		"`keepalive_timeout 75s` ([nginx](https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout))"},
	{"apache2", audit.Request{Setup: as("root", "apache2"), Server: audit.Program{Command: "apachectl start"}, Port: 80, Send: "GET / HTTP/1.1\r\n"}, "",
		"`RequestReadTimeout header=20-40,minrate=500`: 20 s for the header, of which the client sends one line (/etc/apache2/mods-enabled/reqtimeout.conf)"},
	{"apache2, after a request", audit.Request{Setup: as("root", "apache2"), Server: audit.Program{Command: "apachectl start"}, Port: 80, Conversation: says("http")}, "",
		"`KeepAliveTimeout 5` (/etc/apache2/apache2.conf)"},
	{"lighttpd", audit.Request{Setup: as("root", "lighttpd"), Server: audit.Program{Command: "lighttpd -D -f /etc/lighttpd/lighttpd.conf"}, Port: 80}, "",
		"`server.max-read-idle` 60 ([lighttpd](https://redmine.lighttpd.net/projects/lighttpd/wiki/Server_max-read-idleDetails))"},
	{"lighttpd, after a request", audit.Request{Setup: as("root", "lighttpd"), Server: audit.Program{Command: "lighttpd -D -f /etc/lighttpd/lighttpd.conf"}, Port: 80, Conversation: says("http")}, "",
		"`server.max-keep-alive-idle` 5 ([lighttpd](https://redmine.lighttpd.net/projects/lighttpd/wiki/Server_max-keep-alive-idleDetails))"},
	{"haproxy", audit.Request{Setup: as("root", "haproxy"), Server: audit.Program{Command: "haproxy -W -f /etc/haproxy/haproxy.cfg -f scripts/installed/haproxy.cfg"}, Port: 80}, "",
		"`timeout client 50000` (/etc/haproxy/haproxy.cfg)"},
	{"mariadb-server", audit.Request{}, "mariadb-server.yaml",
		"`connect_timeout` 10, before login ([MariaDB](https://mariadb.com/docs/server/server-management/variables-and-modes/server-system-variables))"},
	{"postgresql-15, before login", audit.Request{Setup: as("postgres", "postgresql-15"), Server: audit.Program{Command: postgres}, Port: 5432}, "",
		"`authentication_timeout` 1 min ([PostgreSQL](https://www.postgresql.org/docs/15/runtime-config-connection.html))"},
	{"postgresql-15, with psql", audit.Request{Server: audit.Program{Command: postgres}, Port: 5432,
		Setup:  audit.Setup{Packages: []string{"postgresql-15"}, User: "postgres", Files: map[string]audit.Content{"/etc/postgresql/15/main/pg_hba.conf": {File: "scripts/installed/pg_hba.conf"}}},
		Client: audit.Program{Command: "sh -c 'sleep 100000000 | psql --host={server} --port={port} --username=postgres'"}}, "",
		"`tcp_keepalives_idle` 0: the system's 7200 s ([PostgreSQL](https://www.postgresql.org/docs/15/runtime-config-connection.html))"},
	{"mosquitto", audit.Request{Setup: as("root", "mosquitto"), Server: audit.Program{Command: "mosquitto -c /etc/mosquitto/mosquitto.conf"}, Port: 1883, Conversation: says("mqtt")}, "",
		"one and a half times the client's keepalive of 60 s (MQTT 3.1.1, 3.1.2.10)"},
	{"nats-server", audit.Request{Setup: as("root", "nats-server"), Server: audit.Program{Command: "nats-server -c /etc/nats-server.conf"}, Port: 4222, Conversation: says("nats")}, "",
		"`ping_interval` 2 min, `ping_max` 2 ([NATS](https://docs.nats.io/running-a-nats-service/configuration))"},
	{"rabbitmq-server", audit.Request{Setup: as("rabbitmq", "rabbitmq-server"), Server: audit.Program{Command: "rabbitmq-server"}, Port: 5672}, "",
		"`handshake_timeout` 10 s ([RabbitMQ](https://www.rabbitmq.com/docs/configure))"},
	{"openssh-server, before login", audit.Request{Setup: as("root", "openssh-server"), Server: audit.Program{Command: "/usr/sbin/sshd -D"}, Port: 22}, "",
		"`LoginGraceTime` 120 (sshd_config(5))"},
	{"openssh-server, after login", audit.Request{}, "openssh-server.yaml",
		"`TCPKeepAlive yes`, `ClientAliveInterval` 0: the system's 7200 s (sshd_config(5))"},
	{"vsftpd", audit.Request{Setup: as("root", "vsftpd"), Server: audit.Program{Command: "vsftpd /etc/vsftpd.conf"}, Port: 21, Send: "NOOP\r\n"}, "",
		"`idle_session_timeout` 300 (vsftpd.conf(5))"},
	{"dovecot-imapd, before login", audit.Request{Setup: as("root", "dovecot-imapd"), Server: audit.Program{Command: "dovecot -F"}, Port: 143, Send: "a NOOP\r\n"}, "",
		"3 min before login ([Dovecot](https://doc.dovecot.org/2.3/configuration_manual/timeouts/))"},
	{"prosody", audit.Request{Setup: as("prosody", "prosody"), Server: audit.Program{Command: "prosody -F"}, Port: 5222}, "",
		"`c2s_timeout` 300 before login ([Prosody](https://prosody.im/doc/configure))"},
	{"slapd", audit.Request{Setup: as("root", "slapd"), Server: audit.Program{Command: "/etc/init.d/slapd start"}, Port: 389}, "",
		"`olcIdleTimeout` 0: never (slapd-config(5))"},
	{"squid", audit.Request{Setup: as("root", "squid"), Server: audit.Program{Command: "squid --foreground -sYC"}, Port: 3128}, "",
		"`request_start_timeout` 5 minutes ([Squid](https://www.squid-cache.org/Doc/config/request_start_timeout/))"},
	{"pgbouncer", audit.Request{Setup: as("postgres", "pgbouncer"), Server: audit.Program{Command: "pgbouncer /etc/pgbouncer/pgbouncer.ini"}, Port: 6432}, "",
		"`client_login_timeout` 60 s ([PgBouncer](https://www.pgbouncer.org/config.html))"},
	{"pgbouncer, before postgresql-15, with a client in Python", audit.Request{}, "pgbouncer.yaml",
		"`tcp_keepalive` 1, `tcp_keepidle` not set: the system's 7200 s; `client_idle_timeout` 0 ([PgBouncer](https://www.pgbouncer.org/config.html))"},
}

const postgres = "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf"
