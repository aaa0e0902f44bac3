// Generated from crds/kubearmorrelays.yaml by hack/generate/types.ts. Do not edit.
import type { DefaultsNode } from "./defaults.ts";

export const relayDefaults: DefaultsNode = {
  "properties": {
    "spec": {
      "properties": {
        "image": {
          "default": ""
        },
        "imagePullPolicy": {
          "default": "IfNotPresent"
        },
        "imagePullSecrets": {
          "default": []
        },
        "replicas": {
          "default": 1
        },
        "suspend": {
          "default": false
        },
        "clusterName": {
          "default": ""
        },
        "stdout": {
          "default": {},
          "properties": {
            "alerts": {
              "default": false
            },
            "logs": {
              "default": false
            },
            "messages": {
              "default": false
            }
          }
        },
        "service": {
          "default": {},
          "properties": {
            "name": {
              "default": "kubearmor"
            },
            "type": {
              "default": "ClusterIP"
            },
            "port": {
              "default": 32767
            },
            "annotations": {
              "default": {}
            },
            "ipFamilyPolicy": {
              "default": "PreferDualStack"
            },
            "ipFamilies": {
              "default": []
            },
            "loadBalancerSourceRanges": {
              "default": []
            }
          }
        },
        "networkPolicy": {
          "default": {},
          "properties": {
            "enabled": {
              "default": false
            },
            "from": {
              "default": []
            }
          }
        },
        "podDisruptionBudget": {
          "default": {},
          "properties": {
            "enabled": {
              "default": true
            },
            "maxUnavailable": {
              "default": 1
            }
          }
        },
        "agents": {
          "default": {},
          "properties": {
            "namespaces": {
              "default": []
            },
            "selector": {
              "default": {},
              "properties": {
                "matchLabels": {
                  "default": {
                    "kubearmor-app": "kubearmor"
                  }
                }
              }
            },
            "endpoints": {
              "default": []
            }
          }
        },
        "enrichment": {
          "default": {},
          "properties": {
            "remoteHost": {
              "default": true
            }
          }
        },
        "limits": {
          "default": {},
          "properties": {
            "maxSubscribers": {
              "default": 200
            },
            "mailboxBytes": {
              "default": "8Mi"
            },
            "bufferBytes": {
              "default": "128Mi"
            }
          }
        },
        "logLevel": {
          "default": "info"
        },
        "env": {
          "default": []
        },
        "resources": {
          "default": {
            "requests": {
              "cpu": "100m",
              "memory": "256Mi"
            },
            "limits": {
              "memory": "512Mi"
            }
          },
          "properties": {
            "requests": {
              "default": {}
            },
            "limits": {
              "default": {}
            }
          }
        },
        "nodeSelector": {
          "default": {
            "kubernetes.io/os": "linux"
          }
        },
        "tolerations": {
          "default": []
        },
        "priorityClassName": {
          "default": ""
        },
        "podLabels": {
          "default": {}
        },
        "podAnnotations": {
          "default": {}
        },
        "securityContext": {
          "default": {}
        },
        "terminationGracePeriodSeconds": {
          "default": 30
        },
        "progressDeadlineSeconds": {
          "default": 600
        },
        "podTemplate": {
          "default": {}
        }
      }
    },
    "status": {
      "default": {
        "observedGeneration": -1
      }
    }
  }
};
