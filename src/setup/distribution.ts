import { readText } from '../store/files.ts';

type Wanted = 'compiler' | 'python';

const commands: readonly {
  readonly families: readonly string[];
  readonly compiler: string;
  readonly python: string;
}[] = [
  { families: ['debian', 'ubuntu'], compiler: 'apt-get install g++', python: 'apt-get install python3 python3-venv' },
  { families: ['fedora', 'rhel', 'centos'], compiler: 'dnf install gcc-c++', python: 'dnf install python3' },
  { families: ['suse', 'opensuse'], compiler: 'zypper install gcc-c++', python: 'zypper install python3' },
  { families: ['arch'], compiler: 'pacman -S gcc', python: 'pacman -S python' },
  { families: ['alpine'], compiler: 'apk add g++', python: 'apk add python3' },
];

/**
 * The command that installs something on this Linux distribution, according to os-release(5); those of Debian and
 * Fedora on any other.
 */
export function installCommand(wanted: Wanted, osRelease = readText('/etc/os-release') ?? ''): string {
  const words = [...osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].flatMap(
    (match) => match[1]?.replaceAll('"', '').split(/\s+/) ?? [],
  );
  const known = commands.find(({ families }) =>
    families.some((family) => words.some((word) => word.startsWith(family))),
  );
  return known?.[wanted] ?? `${commands[0]?.[wanted]}\` or \`${commands[1]?.[wanted]}`;
}
