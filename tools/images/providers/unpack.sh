#!/bin/sh
# unpack.sh PACKED UNPACKED: turns what `tofu providers mirror` wrote (one zip per provider) into folders, under the
# host names of both registries, since a module without a host name means another one to each engine.
set -eu
packed=$1
unpacked=$2
for zip in "$packed"/*/*/*/terraform-provider-*_linux_amd64.zip; do
  address=${zip#"$packed"/}
  address=${address%/*}
  source=${address#*/}
  version=${zip##*/terraform-provider-"${source#*/}"_}
  version=${version%_linux_amd64.zip}
  folder=$source/$version/linux_amd64
  mkdir -p "$unpacked/registry.opentofu.org/$folder" "$unpacked/registry.terraform.io/${folder%/*}"
  unzip -q "$zip" 'terraform-provider-*' -d "$unpacked/registry.opentofu.org/$folder"
  ln -s "../../../../registry.opentofu.org/$folder" "$unpacked/registry.terraform.io/$folder"
done
