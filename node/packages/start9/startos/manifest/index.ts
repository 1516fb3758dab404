import { setupManifest } from '@start9labs/start-sdk'
import { bitcoin, long, short } from './i18n'

export const manifest = setupManifest({
  id: 'shoal',
  title: 'Shoal',
  license: 'MIT OR Apache-2.0',
  packageRepo: 'https://shoal.example/source',
  upstreamRepo: 'https://shoal.example/source',
  marketingUrl: 'https://shoal.example',
  donationUrl: null,
  description: { short, long },
  volumes: ['main'],
  images: {
    shoal: {
      source: {
        // .ci/packages.py fill puts the name of the published image here.
        dockerTag:
          'registry.example/shoal:0.1.0@sha256:0000000000000000000000000000000000000000000000000000000000000000',
      },
      arch: ['x86_64', 'aarch64'],
    },
  },
  dependencies: {
    // Not needed if the settings name another bitcoind.
    bitcoind: { description: bitcoin, optional: true, metadata: { title: 'Bitcoin', icon: '' } },
  },
})
