/** What `lb init` writes: a configuration that is valid as it stands, and says what to change. */
export function starterFile(): string {
  return `# yaml-language-server: $schema=./lb.schema.json
#
# The configuration of lb. Change it to what you need, then:
#
#   lb validate    says whether it is right
#   lb plan        shows what would change
#   lb apply       changes it, after asking
#
# They read lb.yaml in the working folder; -c names another file or a folder of them.

version: 1

proxies:
  - name: web
    listen:
      # The interfaces through which clients come in: \`ip link\` lists them.
      interfaces: [eth0]
      # Take packets to this address only. Without it, to any address.
      # address: 203.0.113.10
      port: 80
      protocol: tcp

    # Where connections go: one target, or a list that shares them.
    # Weights are percentages and add up to 100; without weights all share equally.
    defaultTarget:
      - { ip: 10.0.0.1, port: 8080 }
      - { ip: 10.0.0.2, port: 8080 }

    # Other targets for certain clients. The longest prefix wins.
    # sourceRoutes:
    #   - source: 192.168.0.0/16
    #     target: { ip: 10.0.1.1, port: 8080 }

# How the programs are attached to an interface: auto, xdp, xdp-generic, tcx or none.
# interfaces:
#   eth0: { attach: auto }

# settings:
#   # Forget a connection after so many seconds without a packet.
#   connectionTimeoutSec: 300
#   # Connections that are kept at once.
#   maxConnections: 100000
`
}
