# tcsh completion for qchroot: source it from ~/.tcshrc
complete qchroot \
  'n/--kind/(release-source storage isolation)/' \
  'n/--sort/(cpu memory)/' \
  'n/release/(list verify remove prune)/' \
  'n/plugin/(list info check new)/' \
  'c/--/(across-major after all any-release apply boot command delay dry-run follow force from help isolation iterations json keep-run-files kind limit lines list name only path permission quiet ready release remove remove-after remove-requires repair requires restart root signal since size snapshot sort source source-tree stop-signal storage timeout trace-files user verbose version wait)/' \
  'p/1/(install create list status config start stop restart console exec ps kill top logs delete export import adopt release upgrade rollback check resize snapshot clone rename plugin doctor version)/'
