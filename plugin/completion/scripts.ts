/**
 * What a shell runs to complete. Each asks the program itself (`__complete WORDS…`), which answers with a line for each candidate: the word, a
 * tab, and what it is. `kubectl terrarium …` is completed by kubectl, which asks a program of the name `kubectl_complete-terrarium`.
 */

const BASH = `# bash completion for kubectl-terrarium. Load with: source <(kubectl terrarium completion bash)
__kubectl_terrarium_complete() {
  local IFS=$'\\n' line
  COMPREPLY=()
  for line in $("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null); do
    case "$line" in :*) continue ;; esac
    COMPREPLY+=("\${line%%$'\\t'*}")
  done
}
complete -F __kubectl_terrarium_complete kubectl-terrarium
`;

const ZSH = `#compdef kubectl-terrarium
# zsh completion for kubectl-terrarium. Load with: source <(kubectl terrarium completion zsh)
_kubectl_terrarium() {
  local line word
  local -a candidates
  while IFS= read -r line; do
    [[ "$line" == :* || -z "$line" ]] && continue
    word="\${line%%$'\\t'*}"
    candidates+=("\${word//:/\\\\:}:\${\${line#$word}#$'\\t'}")
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe 'kubectl terrarium' candidates
}
compdef _kubectl_terrarium kubectl-terrarium
`;

const FISH = `# fish completion for kubectl-terrarium. Load with: kubectl terrarium completion fish | source
function __kubectl_terrarium_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null | string match -v -r '^(:.*)?$'
end
complete -c kubectl-terrarium -f -a '(__kubectl_terrarium_complete)'
`;

const KUBECTL = `#!/bin/sh
# Save as kubectl_complete-terrarium, executable, on the PATH: kubectl then completes "kubectl terrarium ..." in every shell.
exec kubectl-terrarium __complete "$@"
`;

export const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH, kubectl: KUBECTL };
