/**
 * Every rule that a configuration is checked by, with what it asks for. The names are stable: they
 * stand in the JSON, GitHub and SARIF output, and users filter by them.
 */
export const RULES = {
  // The text
  syntax: 'A file is well-formed YAML 1.2, JSON or EDN, as its extension says.',
  'empty-file': 'A file says something.',
  'multiple-documents': 'A file holds one document.',
  'duplicate-key': 'A map has each key once.',
  'unsupported-syntax': 'A file is made of maps, lists, text, numbers and booleans only.',
  'too-deep': 'Maps and lists are not nested deeper than any configuration needs.',
  'alias-expansion': 'Aliases do not blow a file up beyond reason.',
  // Keys and values, from the schema
  'unknown-key': 'Only keys of the configuration language are used.',
  'missing-key': 'Keys without a default are present.',
  'wrong-type': 'A value is of the type that its key asks for.',
  'unknown-value': 'A value with fixed choices is one of them.',
  'out-of-range': 'A number is within its limits.',
  'empty-list': 'A list that needs an element has one.',
  'proxy-name': 'A proxy name is 1 to 63 letters, digits, dots, underscores and hyphens.',
  'interface-name':
    'An interface name is one that Linux allows: 1 to 15 characters, no space, slash or colon.',
  'config-version': 'The version is one that this lb reads.',
  'target-and-targets': 'A source route has either `target` or `targets`.',
  'ip-and-host': 'A target has either `ip` or `host`.',
  'key-without-effect': 'A key is used where it has an effect.',
  'invalid-text': 'Text that has a form of its own, such as a path, is of that form.',
  // Addresses
  'invalid-address': 'An address is a plain IPv4 or IPv6 address.',
  'invalid-host': 'A hostname is one that can be looked up.',
  'invalid-source': 'The source of a route is an address, a network in CIDR notation or a hostname.',
  'host-bits': 'A network has no bits set after its prefix.',
  'listen-address': 'A listener has a unicast address, or any.',
  'target-address': 'A target has a unicast address that can be routed to.',
  'loopback-target': 'A target is not on the loopback network, where packets from outside are dropped.',
  'loopback-listener':
    'A target of a proxy on the loopback interface is on this host: what arrives there is not forwarded.',
  'mixed-families': 'Address, targets and source routes of a proxy are all IPv4 or all IPv6.',
  // Relations
  'duplicate-name': 'No two proxies have the same name.',
  'duplicate-definition': 'An interface or setting is defined in one file only.',
  'duplicate-listener': 'No two proxies take the same packets.',
  'duplicate-interface': 'A listener names each interface once.',
  'duplicate-target': 'A list has each target once.',
  'duplicate-source-route': 'A proxy routes each network once.',
  'target-differs':
    'A target that several lists of a proxy have is the same in all of them, but for its weight.',
  'weight-missing': 'Either all targets of a list have a weight or none has.',
  'weight-sum': 'The weights of a list add up to exactly 100.',
  'target-loop': 'A target is not the listener that it serves.',
  'interface-not-attached': 'A proxy does not listen on an interface that is left alone.',
  'unreachable-route': 'A source route is not covered by longer ones.',
  'unreachable-default': 'Source routes leave clients for the default target.',
  'health-timeout': 'A health check does not take longer than the time to the next one.',
  'no-proxies': 'A configuration without proxies says so with an empty list.',
  'no-files': 'There is a file to read.',
  // Names
  'unresolved-host': 'A name has an address.',
  'many-addresses': 'A name has no more addresses than are used.',
  // The host
  'unknown-interface': 'An interface that is named exists on this host.',
} as const satisfies Readonly<Record<string, string>>

export type RuleId = keyof typeof RULES

/** Rules that are well to follow; all others must be. */
export const WARNINGS: ReadonlySet<string> = new Set<RuleId>([
  'host-bits',
  'loopback-target',
  'loopback-listener',
  'unreachable-route',
  'unreachable-default',
  'health-timeout',
  'many-addresses',
  'no-proxies',
])
