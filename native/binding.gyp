{
  'targets': [
    {
      'target_name': 'lb_native',
      'sources': [
        'src/args.c',
        'src/batch.c',
        'src/btf.c',
        'src/clsact.c',
        'src/constant.c',
        'src/error.c',
        'src/ethtool.c',
        'src/handle.c',
        'src/interfaces.c',
        'src/link.c',
        'src/lock.c',
        'src/map.c',
        'src/mapped.c',
        'src/module.c',
        'src/netlink.c',
        'src/object.c',
        'src/program.c',
        'src/readall.c',
        'src/ringbuf.c',
        'src/route.c',
        'src/static_libs.c',
        'src/system.c',
        'src/testrun.c',
        'src/values.c',
        'src/xdpfeatures.c',
      ],
      'defines': ['NAPI_VERSION=8', '_GNU_SOURCE'],
      # Node's own headers are not ours to fix.
      'cflags!': ['-Wno-unused-parameter'],
      'cflags': [
        '-std=gnu11',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-fvisibility=hidden',
        '-fstack-protector-strong',
      ],
      # Static, so that the addon runs where libbpf is not installed; hidden, so that another copy of
      # libz or libelf in the process (Node has its own zlib) is never mixed with these.
      'ldflags': ['-Wl,--exclude-libs,ALL', '-Wl,--wrap=stderr', '-Wl,-z,text'],
      'libraries': ['-Wl,-Bstatic', '-lbpf', '-lelf', '-lz', '-Wl,-Bdynamic'],
    },
  ],
}
