// Generated from crds/kubearmorrelays.yaml by hack/generate/types.ts. Do not edit.
import type { SchemaNode } from "./schema.ts";

/** Messages of the CRD's rules about one state of an object. */
export type RuleMessage =
  | "ENABLE_STDOUT_ALERTS, ENABLE_STDOUT_LOGS, ENABLE_STDOUT_MSGS and POD_NAME belong to the operator"
  | "In and NotIn need values, Exists and DoesNotExist none"
  | "In and NotIn need values, Gt and Lt one value, Exists and DoesNotExist none"
  | "a key of matchLabels is not a valid label key"
  | "a request cannot be above the limit of the same name"
  | "a toleration with operator Exists has no value"
  | "a toleration without key needs operator Exists"
  | "an environment variable has either value or valueFrom"
  | "bufferBytes must be from 16Mi to 16Gi, written without a fraction"
  | "externalTrafficPolicy needs type NodePort or LoadBalancer"
  | "loadBalancerClass needs type LoadBalancer"
  | "loadBalancerSourceRanges needs type LoadBalancer"
  | "mailboxBytes must be from 64Ki to 16Gi, written without a fraction"
  | "maxUnavailable must be an integer from 1 to 100 or a percentage from 1% to 100%"
  | "metadata.name must be at most 63 lower-case letters, digits and dashes, because the relay's pods carry it as a label"
  | "minDomains needs whenUnsatisfiable DoNotSchedule"
  | "nodePort needs type NodePort or LoadBalancer"
  | "runAsUser 0 needs runAsNonRoot false"
  | "the labels kubearmor-app, operator.kubearmor.com/* and app.kubernetes.io/* belong to the operator"
  | "the memory limit must be at least twice limits.bufferBytes, or the container is killed before its buffer is full"
  | "the name is that of the Service for metrics"
  | "the two ipFamilies must differ"
  | "tolerationSeconds needs effect NoExecute"
  | "two ipFamilies need ipFamilyPolicy PreferDualStack or RequireDualStack"
  | "type Localhost needs localhostProfile, and the others have none"
  | "valueFrom needs exactly one of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef";

export const relaySchema: SchemaNode = {
  "type": "object",
  "required": [
    "spec"
  ],
  "rules": [
    {
      "message": "metadata.name must be at most 63 lower-case letters, digits and dashes, because the relay's pods carry it as a label",
      "fieldPath": ""
    },
    {
      "message": "the name is that of the Service for metrics",
      "fieldPath": ".spec.service.name"
    }
  ],
  "properties": {
    "apiVersion": {
      "type": "string"
    },
    "kind": {
      "type": "string"
    },
    "metadata": {
      "type": "object",
      "keepsUnknown": true
    },
    "spec": {
      "type": "object",
      "rules": [
        {
          "message": "the memory limit must be at least twice limits.bufferBytes, or the container is killed before its buffer is full",
          "fieldPath": ".resources.limits"
        }
      ],
      "properties": {
        "image": {
          "type": "string",
          "default": "",
          "maxLength": 512
        },
        "imagePullPolicy": {
          "type": "string",
          "default": "IfNotPresent",
          "enum": [
            "Always",
            "IfNotPresent",
            "Never"
          ]
        },
        "imagePullSecrets": {
          "type": "array",
          "default": [],
          "maxItems": 16,
          "unique": [
            "name"
          ],
          "items": {
            "type": "object",
            "required": [
              "name"
            ],
            "properties": {
              "name": {
                "type": "string",
                "minLength": 1,
                "maxLength": 253
              }
            }
          }
        },
        "replicas": {
          "type": "integer",
          "minimum": 0,
          "maximum": 10,
          "default": 1
        },
        "suspend": {
          "type": "boolean",
          "default": false
        },
        "clusterName": {
          "type": "string",
          "default": "",
          "maxLength": 253,
          "pattern": new RegExp("^[^\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}\\p{Zl}\\p{Zp}]*$", "u"),
          "wanted": "Fills in the cluster's name of events whose own is empty or `default`. Empty, the default, leaves them as they are."
        },
        "stdout": {
          "type": "object",
          "default": {},
          "properties": {
            "alerts": {
              "type": "boolean",
              "default": false
            },
            "logs": {
              "type": "boolean",
              "default": false
            },
            "messages": {
              "type": "boolean",
              "default": false
            }
          }
        },
        "service": {
          "type": "object",
          "default": {},
          "rules": [
            {
              "message": "nodePort needs type NodePort or LoadBalancer",
              "fieldPath": ".nodePort"
            },
            {
              "message": "externalTrafficPolicy needs type NodePort or LoadBalancer",
              "fieldPath": ".externalTrafficPolicy"
            },
            {
              "message": "loadBalancerClass needs type LoadBalancer",
              "fieldPath": ".loadBalancerClass"
            },
            {
              "message": "loadBalancerSourceRanges needs type LoadBalancer",
              "fieldPath": ".loadBalancerSourceRanges"
            },
            {
              "message": "two ipFamilies need ipFamilyPolicy PreferDualStack or RequireDualStack",
              "fieldPath": ".ipFamilies"
            }
          ],
          "properties": {
            "name": {
              "type": "string",
              "default": "kubearmor",
              "maxLength": 63,
              "pattern": new RegExp("^[a-z]([-a-z0-9]*[a-z0-9])?$", "u"),
              "wanted": "Name of the Service. Clients of KubeArmor look for `kubearmor`."
            },
            "type": {
              "type": "string",
              "default": "ClusterIP",
              "enum": [
                "ClusterIP",
                "NodePort",
                "LoadBalancer"
              ]
            },
            "port": {
              "type": "integer",
              "minimum": 1,
              "maximum": 65535,
              "default": 32767
            },
            "nodePort": {
              "type": "integer",
              "minimum": 1,
              "maximum": 65535
            },
            "annotations": {
              "type": "object",
              "default": {},
              "maxProperties": 64,
              "values": {
                "type": "string",
                "maxLength": 4096
              }
            },
            "ipFamilyPolicy": {
              "type": "string",
              "default": "PreferDualStack",
              "enum": [
                "SingleStack",
                "PreferDualStack",
                "RequireDualStack"
              ]
            },
            "ipFamilies": {
              "type": "array",
              "default": [],
              "maxItems": 2,
              "rules": [
                {
                  "message": "the two ipFamilies must differ",
                  "fieldPath": ""
                }
              ],
              "items": {
                "type": "string",
                "enum": [
                  "IPv4",
                  "IPv6"
                ],
                "maxLength": 4
              }
            },
            "loadBalancerClass": {
              "type": "string",
              "minLength": 1,
              "maxLength": 317,
              "pattern": new RegExp("^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$", "u"),
              "wanted": "Which implementation makes the load balancer, for type LoadBalancer. Absent, the default, is the cluster's own."
            },
            "loadBalancerSourceRanges": {
              "type": "array",
              "default": [],
              "maxItems": 64,
              "unique": [],
              "items": {
                "type": "string",
                "maxLength": 49,
                "pattern": new RegExp("^(((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])/([12]?[0-9]|3[0-2])|(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|([0-9A-Fa-f]{1,4}:){1,1}(:[0-9A-Fa-f]{1,4}){1,6}|:((:[0-9A-Fa-f]{1,4}){1,7}|:)|::([Ff]{4}:)?((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]))/([1-9]?[0-9]|1[01][0-9]|12[0-8]))$", "u"),
                "wanted": "Addresses that the load balancer lets in, as CIDRs. Empty, the default, is all."
              }
            },
            "externalTrafficPolicy": {
              "type": "string",
              "enum": [
                "Cluster",
                "Local"
              ]
            },
            "internalTrafficPolicy": {
              "type": "string",
              "enum": [
                "Cluster",
                "Local"
              ]
            }
          }
        },
        "networkPolicy": {
          "type": "object",
          "default": {},
          "properties": {
            "enabled": {
              "type": "boolean",
              "default": false
            },
            "from": {
              "type": "array",
              "default": [],
              "maxItems": 32,
              "items": {
                "type": "object",
                "properties": {
                  "namespaceLabels": {
                    "type": "object",
                    "maxProperties": 16,
                    "values": {
                      "type": "string",
                      "maxLength": 63
                    }
                  },
                  "podLabels": {
                    "type": "object",
                    "maxProperties": 16,
                    "values": {
                      "type": "string",
                      "maxLength": 63
                    }
                  }
                }
              }
            }
          }
        },
        "podDisruptionBudget": {
          "type": "object",
          "default": {},
          "properties": {
            "enabled": {
              "type": "boolean",
              "default": true
            },
            "maxUnavailable": {
              "type": "int-or-string",
              "default": 1,
              "maxLength": 4,
              "rules": [
                {
                  "message": "maxUnavailable must be an integer from 1 to 100 or a percentage from 1% to 100%",
                  "fieldPath": ""
                }
              ]
            }
          }
        },
        "agents": {
          "type": "object",
          "default": {},
          "properties": {
            "namespaces": {
              "type": "array",
              "default": [],
              "maxItems": 64,
              "unique": [],
              "items": {
                "type": "string",
                "maxLength": 63,
                "pattern": new RegExp("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "u"),
                "wanted": "Namespaces to look for agent pods in. Empty, the default, is all of them."
              }
            },
            "selector": {
              "type": "object",
              "default": {},
              "properties": {
                "matchLabels": {
                  "type": "object",
                  "default": {
                    "kubearmor-app": "kubearmor"
                  },
                  "minProperties": 1,
                  "maxProperties": 16,
                  "rules": [
                    {
                      "message": "a key of matchLabels is not a valid label key",
                      "fieldPath": ""
                    }
                  ],
                  "values": {
                    "type": "string",
                    "maxLength": 63,
                    "pattern": new RegExp("^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", "u"),
                    "wanted": "Every one of these labels must be on the pod."
                  }
                }
              }
            },
            "port": {
              "type": "integer",
              "minimum": 1,
              "maximum": 65535
            },
            "endpoints": {
              "type": "array",
              "default": [],
              "maxItems": 256,
              "unique": [],
              "items": {
                "type": "string",
                "maxLength": 261,
                "pattern": new RegExp("^(\\[(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|([0-9A-Fa-f]{1,4}:){1,1}(:[0-9A-Fa-f]{1,4}){1,6}|:((:[0-9A-Fa-f]{1,4}){1,7}|:)|::([Ff]{4}:)?((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9]))\\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$", "u"),
                "wanted": "Agents outside the cluster, each as host:port, with an IPv6 address in brackets."
              }
            }
          }
        },
        "enrichment": {
          "type": "object",
          "default": {},
          "properties": {
            "remoteHost": {
              "type": "boolean",
              "default": true
            }
          }
        },
        "limits": {
          "type": "object",
          "default": {},
          "properties": {
            "maxSubscribers": {
              "type": "integer",
              "minimum": 1,
              "maximum": 4000,
              "default": 200
            },
            "mailboxBytes": {
              "type": "int-or-string",
              "default": "8Mi",
              "maxLength": 32,
              "minimum": 0,
              "pattern": new RegExp("^\\+?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?[0-9]{1,2}))?$", "u"),
              "wanted": "What may wait for one subscriber that is slow.",
              "rules": [
                {
                  "message": "mailboxBytes must be from 64Ki to 16Gi, written without a fraction",
                  "fieldPath": ""
                }
              ]
            },
            "bufferBytes": {
              "type": "int-or-string",
              "default": "128Mi",
              "maxLength": 32,
              "minimum": 0,
              "pattern": new RegExp("^\\+?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?[0-9]{1,2}))?$", "u"),
              "wanted": "What may wait for all subscribers and stdout together.",
              "rules": [
                {
                  "message": "bufferBytes must be from 16Mi to 16Gi, written without a fraction",
                  "fieldPath": ""
                }
              ]
            }
          }
        },
        "logLevel": {
          "type": "string",
          "default": "info",
          "enum": [
            "error",
            "warn",
            "info",
            "debug"
          ]
        },
        "env": {
          "type": "array",
          "default": [],
          "maxItems": 64,
          "unique": [
            "name"
          ],
          "items": {
            "type": "object",
            "required": [
              "name"
            ],
            "rules": [
              {
                "message": "an environment variable has either value or valueFrom",
                "fieldPath": ""
              }
            ],
            "properties": {
              "name": {
                "type": "string",
                "minLength": 1,
                "maxLength": 253,
                "pattern": new RegExp("^[-._A-Za-z][-._A-Za-z0-9]*$", "u"),
                "wanted": "Name of the variable.",
                "rules": [
                  {
                    "message": "ENABLE_STDOUT_ALERTS, ENABLE_STDOUT_LOGS, ENABLE_STDOUT_MSGS and POD_NAME belong to the operator",
                    "fieldPath": ""
                  }
                ]
              },
              "value": {
                "type": "string",
                "maxLength": 32768
              },
              "valueFrom": {
                "type": "object",
                "rules": [
                  {
                    "message": "valueFrom needs exactly one of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef",
                    "fieldPath": ""
                  }
                ],
                "properties": {
                  "configMapKeyRef": {
                    "type": "object",
                    "required": [
                      "name",
                      "key"
                    ],
                    "properties": {
                      "name": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253
                      },
                      "key": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253,
                        "pattern": new RegExp("^[-._A-Za-z0-9]+$", "u"),
                        "wanted": "Key in the object's data."
                      },
                      "optional": {
                        "type": "boolean"
                      }
                    }
                  },
                  "secretKeyRef": {
                    "type": "object",
                    "required": [
                      "name",
                      "key"
                    ],
                    "properties": {
                      "name": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253
                      },
                      "key": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253,
                        "pattern": new RegExp("^[-._A-Za-z0-9]+$", "u"),
                        "wanted": "Key in the object's data."
                      },
                      "optional": {
                        "type": "boolean"
                      }
                    }
                  },
                  "fieldRef": {
                    "type": "object",
                    "required": [
                      "fieldPath"
                    ],
                    "properties": {
                      "apiVersion": {
                        "type": "string",
                        "maxLength": 63
                      },
                      "fieldPath": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 512
                      }
                    }
                  },
                  "resourceFieldRef": {
                    "type": "object",
                    "required": [
                      "resource"
                    ],
                    "properties": {
                      "containerName": {
                        "type": "string",
                        "maxLength": 63
                      },
                      "resource": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253
                      },
                      "divisor": {
                        "type": "int-or-string",
                        "maxLength": 32,
                        "minimum": 0,
                        "pattern": new RegExp("^\\+?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?[0-9]{1,2}))?$", "u"),
                        "wanted": "Unit of the value, `1` when absent."
                      }
                    }
                  }
                }
              }
            }
          }
        },
        "resources": {
          "type": "object",
          "default": {
            "requests": {
              "cpu": "100m",
              "memory": "256Mi"
            },
            "limits": {
              "memory": "512Mi"
            }
          },
          "rules": [
            {
              "message": "a request cannot be above the limit of the same name",
              "fieldPath": ".requests"
            }
          ],
          "properties": {
            "requests": {
              "type": "object",
              "default": {},
              "maxProperties": 16,
              "values": {
                "type": "int-or-string",
                "maxLength": 32,
                "minimum": 0,
                "pattern": new RegExp("^\\+?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?[0-9]{1,2}))?$", "u"),
                "wanted": "What the scheduler reserves."
              }
            },
            "limits": {
              "type": "object",
              "default": {},
              "maxProperties": 16,
              "values": {
                "type": "int-or-string",
                "maxLength": 32,
                "minimum": 0,
                "pattern": new RegExp("^\\+?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?[0-9]{1,2}))?$", "u"),
                "wanted": "What the node allows."
              }
            }
          }
        },
        "nodeSelector": {
          "type": "object",
          "default": {
            "kubernetes.io/os": "linux"
          },
          "maxProperties": 32,
          "values": {
            "type": "string",
            "maxLength": 63
          }
        },
        "tolerations": {
          "type": "array",
          "default": [],
          "maxItems": 32,
          "items": {
            "type": "object",
            "rules": [
              {
                "message": "a toleration without key needs operator Exists",
                "fieldPath": ""
              },
              {
                "message": "a toleration with operator Exists has no value",
                "fieldPath": ""
              },
              {
                "message": "tolerationSeconds needs effect NoExecute",
                "fieldPath": ""
              }
            ],
            "properties": {
              "key": {
                "type": "string",
                "maxLength": 317
              },
              "operator": {
                "type": "string",
                "enum": [
                  "Equal",
                  "Exists"
                ]
              },
              "value": {
                "type": "string",
                "maxLength": 63
              },
              "effect": {
                "type": "string",
                "enum": [
                  "",
                  "NoSchedule",
                  "PreferNoSchedule",
                  "NoExecute"
                ]
              },
              "tolerationSeconds": {
                "type": "integer"
              }
            }
          }
        },
        "affinity": {
          "type": "object",
          "properties": {
            "nodeAffinity": {
              "type": "object",
              "properties": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                  "type": "object",
                  "required": [
                    "nodeSelectorTerms"
                  ],
                  "properties": {
                    "nodeSelectorTerms": {
                      "type": "array",
                      "minItems": 1,
                      "maxItems": 16,
                      "items": {
                        "type": "object",
                        "properties": {
                          "matchExpressions": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "rules": [
                                {
                                  "message": "In and NotIn need values, Gt and Lt one value, Exists and DoesNotExist none",
                                  "fieldPath": ".values"
                                }
                              ],
                              "properties": {
                                "key": {
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist",
                                    "Gt",
                                    "Lt"
                                  ]
                                },
                                "values": {
                                  "type": "array",
                                  "maxItems": 64,
                                  "items": {
                                    "type": "string",
                                    "maxLength": 253
                                  }
                                }
                              }
                            }
                          },
                          "matchFields": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "rules": [
                                {
                                  "message": "In and NotIn need values, Gt and Lt one value, Exists and DoesNotExist none",
                                  "fieldPath": ".values"
                                }
                              ],
                              "properties": {
                                "key": {
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist",
                                    "Gt",
                                    "Lt"
                                  ]
                                },
                                "values": {
                                  "type": "array",
                                  "maxItems": 64,
                                  "items": {
                                    "type": "string",
                                    "maxLength": 253
                                  }
                                }
                              }
                            }
                          }
                        }
                      }
                    }
                  }
                },
                "preferredDuringSchedulingIgnoredDuringExecution": {
                  "type": "array",
                  "maxItems": 16,
                  "items": {
                    "type": "object",
                    "required": [
                      "weight",
                      "preference"
                    ],
                    "properties": {
                      "weight": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 100
                      },
                      "preference": {
                        "type": "object",
                        "properties": {
                          "matchExpressions": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "rules": [
                                {
                                  "message": "In and NotIn need values, Gt and Lt one value, Exists and DoesNotExist none",
                                  "fieldPath": ".values"
                                }
                              ],
                              "properties": {
                                "key": {
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist",
                                    "Gt",
                                    "Lt"
                                  ]
                                },
                                "values": {
                                  "type": "array",
                                  "maxItems": 64,
                                  "items": {
                                    "type": "string",
                                    "maxLength": 253
                                  }
                                }
                              }
                            }
                          },
                          "matchFields": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "rules": [
                                {
                                  "message": "In and NotIn need values, Gt and Lt one value, Exists and DoesNotExist none",
                                  "fieldPath": ".values"
                                }
                              ],
                              "properties": {
                                "key": {
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist",
                                    "Gt",
                                    "Lt"
                                  ]
                                },
                                "values": {
                                  "type": "array",
                                  "maxItems": 64,
                                  "items": {
                                    "type": "string",
                                    "maxLength": 253
                                  }
                                }
                              }
                            }
                          }
                        }
                      }
                    }
                  }
                }
              }
            },
            "podAffinity": {
              "type": "object",
              "properties": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                  "type": "array",
                  "maxItems": 16,
                  "items": {
                    "type": "object",
                    "required": [
                      "topologyKey"
                    ],
                    "properties": {
                      "topologyKey": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 317
                      },
                      "labelSelector": {
                        "type": "object",
                        "properties": {
                          "matchLabels": {
                            "type": "object",
                            "maxProperties": 16,
                            "values": {
                              "type": "string",
                              "maxLength": 63
                            }
                          },
                          "matchExpressions": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "rules": [
                                {
                                  "message": "In and NotIn need values, Exists and DoesNotExist none",
                                  "fieldPath": ".values"
                                }
                              ],
                              "properties": {
                                "key": {
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist"
                                  ]
                                },
                                "values": {
                                  "type": "array",
                                  "maxItems": 64,
                                  "items": {
                                    "type": "string",
                                    "maxLength": 63
                                  }
                                }
                              }
                            }
                          }
                        }
                      },
                      "namespaces": {
                        "type": "array",
                        "maxItems": 64,
                        "items": {
                          "type": "string",
                          "maxLength": 63
                        }
                      },
                      "namespaceSelector": {
                        "type": "object",
                        "properties": {
                          "matchLabels": {
                            "type": "object",
                            "maxProperties": 16,
                            "values": {
                              "type": "string",
                              "maxLength": 63
                            }
                          },
                          "matchExpressions": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "rules": [
                                {
                                  "message": "In and NotIn need values, Exists and DoesNotExist none",
                                  "fieldPath": ".values"
                                }
                              ],
                              "properties": {
                                "key": {
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist"
                                  ]
                                },
                                "values": {
                                  "type": "array",
                                  "maxItems": 64,
                                  "items": {
                                    "type": "string",
                                    "maxLength": 63
                                  }
                                }
                              }
                            }
                          }
                        }
                      },
                      "matchLabelKeys": {
                        "type": "array",
                        "maxItems": 16,
                        "items": {
                          "type": "string",
                          "maxLength": 317
                        }
                      },
                      "mismatchLabelKeys": {
                        "type": "array",
                        "maxItems": 16,
                        "items": {
                          "type": "string",
                          "maxLength": 317
                        }
                      }
                    }
                  }
                },
                "preferredDuringSchedulingIgnoredDuringExecution": {
                  "type": "array",
                  "maxItems": 16,
                  "items": {
                    "type": "object",
                    "required": [
                      "weight",
                      "podAffinityTerm"
                    ],
                    "properties": {
                      "weight": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 100
                      },
                      "podAffinityTerm": {
                        "type": "object",
                        "required": [
                          "topologyKey"
                        ],
                        "properties": {
                          "topologyKey": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 317
                          },
                          "labelSelector": {
                            "type": "object",
                            "properties": {
                              "matchLabels": {
                                "type": "object",
                                "maxProperties": 16,
                                "values": {
                                  "type": "string",
                                  "maxLength": 63
                                }
                              },
                              "matchExpressions": {
                                "type": "array",
                                "maxItems": 16,
                                "items": {
                                  "type": "object",
                                  "required": [
                                    "key",
                                    "operator"
                                  ],
                                  "rules": [
                                    {
                                      "message": "In and NotIn need values, Exists and DoesNotExist none",
                                      "fieldPath": ".values"
                                    }
                                  ],
                                  "properties": {
                                    "key": {
                                      "type": "string",
                                      "minLength": 1,
                                      "maxLength": 317
                                    },
                                    "operator": {
                                      "type": "string",
                                      "enum": [
                                        "In",
                                        "NotIn",
                                        "Exists",
                                        "DoesNotExist"
                                      ]
                                    },
                                    "values": {
                                      "type": "array",
                                      "maxItems": 64,
                                      "items": {
                                        "type": "string",
                                        "maxLength": 63
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          },
                          "namespaces": {
                            "type": "array",
                            "maxItems": 64,
                            "items": {
                              "type": "string",
                              "maxLength": 63
                            }
                          },
                          "namespaceSelector": {
                            "type": "object",
                            "properties": {
                              "matchLabels": {
                                "type": "object",
                                "maxProperties": 16,
                                "values": {
                                  "type": "string",
                                  "maxLength": 63
                                }
                              },
                              "matchExpressions": {
                                "type": "array",
                                "maxItems": 16,
                                "items": {
                                  "type": "object",
                                  "required": [
                                    "key",
                                    "operator"
                                  ],
                                  "rules": [
                                    {
                                      "message": "In and NotIn need values, Exists and DoesNotExist none",
                                      "fieldPath": ".values"
                                    }
                                  ],
                                  "properties": {
                                    "key": {
                                      "type": "string",
                                      "minLength": 1,
                                      "maxLength": 317
                                    },
                                    "operator": {
                                      "type": "string",
                                      "enum": [
                                        "In",
                                        "NotIn",
                                        "Exists",
                                        "DoesNotExist"
                                      ]
                                    },
                                    "values": {
                                      "type": "array",
                                      "maxItems": 64,
                                      "items": {
                                        "type": "string",
                                        "maxLength": 63
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          },
                          "matchLabelKeys": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "string",
                              "maxLength": 317
                            }
                          },
                          "mismatchLabelKeys": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "string",
                              "maxLength": 317
                            }
                          }
                        }
                      }
                    }
                  }
                }
              }
            },
            "podAntiAffinity": {
              "type": "object",
              "properties": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                  "type": "array",
                  "maxItems": 16,
                  "items": {
                    "type": "object",
                    "required": [
                      "topologyKey"
                    ],
                    "properties": {
                      "topologyKey": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 317
                      },
                      "labelSelector": {
                        "type": "object",
                        "properties": {
                          "matchLabels": {
                            "type": "object",
                            "maxProperties": 16,
                            "values": {
                              "type": "string",
                              "maxLength": 63
                            }
                          },
                          "matchExpressions": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "rules": [
                                {
                                  "message": "In and NotIn need values, Exists and DoesNotExist none",
                                  "fieldPath": ".values"
                                }
                              ],
                              "properties": {
                                "key": {
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist"
                                  ]
                                },
                                "values": {
                                  "type": "array",
                                  "maxItems": 64,
                                  "items": {
                                    "type": "string",
                                    "maxLength": 63
                                  }
                                }
                              }
                            }
                          }
                        }
                      },
                      "namespaces": {
                        "type": "array",
                        "maxItems": 64,
                        "items": {
                          "type": "string",
                          "maxLength": 63
                        }
                      },
                      "namespaceSelector": {
                        "type": "object",
                        "properties": {
                          "matchLabels": {
                            "type": "object",
                            "maxProperties": 16,
                            "values": {
                              "type": "string",
                              "maxLength": 63
                            }
                          },
                          "matchExpressions": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "object",
                              "required": [
                                "key",
                                "operator"
                              ],
                              "rules": [
                                {
                                  "message": "In and NotIn need values, Exists and DoesNotExist none",
                                  "fieldPath": ".values"
                                }
                              ],
                              "properties": {
                                "key": {
                                  "type": "string",
                                  "minLength": 1,
                                  "maxLength": 317
                                },
                                "operator": {
                                  "type": "string",
                                  "enum": [
                                    "In",
                                    "NotIn",
                                    "Exists",
                                    "DoesNotExist"
                                  ]
                                },
                                "values": {
                                  "type": "array",
                                  "maxItems": 64,
                                  "items": {
                                    "type": "string",
                                    "maxLength": 63
                                  }
                                }
                              }
                            }
                          }
                        }
                      },
                      "matchLabelKeys": {
                        "type": "array",
                        "maxItems": 16,
                        "items": {
                          "type": "string",
                          "maxLength": 317
                        }
                      },
                      "mismatchLabelKeys": {
                        "type": "array",
                        "maxItems": 16,
                        "items": {
                          "type": "string",
                          "maxLength": 317
                        }
                      }
                    }
                  }
                },
                "preferredDuringSchedulingIgnoredDuringExecution": {
                  "type": "array",
                  "maxItems": 16,
                  "items": {
                    "type": "object",
                    "required": [
                      "weight",
                      "podAffinityTerm"
                    ],
                    "properties": {
                      "weight": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 100
                      },
                      "podAffinityTerm": {
                        "type": "object",
                        "required": [
                          "topologyKey"
                        ],
                        "properties": {
                          "topologyKey": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 317
                          },
                          "labelSelector": {
                            "type": "object",
                            "properties": {
                              "matchLabels": {
                                "type": "object",
                                "maxProperties": 16,
                                "values": {
                                  "type": "string",
                                  "maxLength": 63
                                }
                              },
                              "matchExpressions": {
                                "type": "array",
                                "maxItems": 16,
                                "items": {
                                  "type": "object",
                                  "required": [
                                    "key",
                                    "operator"
                                  ],
                                  "rules": [
                                    {
                                      "message": "In and NotIn need values, Exists and DoesNotExist none",
                                      "fieldPath": ".values"
                                    }
                                  ],
                                  "properties": {
                                    "key": {
                                      "type": "string",
                                      "minLength": 1,
                                      "maxLength": 317
                                    },
                                    "operator": {
                                      "type": "string",
                                      "enum": [
                                        "In",
                                        "NotIn",
                                        "Exists",
                                        "DoesNotExist"
                                      ]
                                    },
                                    "values": {
                                      "type": "array",
                                      "maxItems": 64,
                                      "items": {
                                        "type": "string",
                                        "maxLength": 63
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          },
                          "namespaces": {
                            "type": "array",
                            "maxItems": 64,
                            "items": {
                              "type": "string",
                              "maxLength": 63
                            }
                          },
                          "namespaceSelector": {
                            "type": "object",
                            "properties": {
                              "matchLabels": {
                                "type": "object",
                                "maxProperties": 16,
                                "values": {
                                  "type": "string",
                                  "maxLength": 63
                                }
                              },
                              "matchExpressions": {
                                "type": "array",
                                "maxItems": 16,
                                "items": {
                                  "type": "object",
                                  "required": [
                                    "key",
                                    "operator"
                                  ],
                                  "rules": [
                                    {
                                      "message": "In and NotIn need values, Exists and DoesNotExist none",
                                      "fieldPath": ".values"
                                    }
                                  ],
                                  "properties": {
                                    "key": {
                                      "type": "string",
                                      "minLength": 1,
                                      "maxLength": 317
                                    },
                                    "operator": {
                                      "type": "string",
                                      "enum": [
                                        "In",
                                        "NotIn",
                                        "Exists",
                                        "DoesNotExist"
                                      ]
                                    },
                                    "values": {
                                      "type": "array",
                                      "maxItems": 64,
                                      "items": {
                                        "type": "string",
                                        "maxLength": 63
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          },
                          "matchLabelKeys": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "string",
                              "maxLength": 317
                            }
                          },
                          "mismatchLabelKeys": {
                            "type": "array",
                            "maxItems": 16,
                            "items": {
                              "type": "string",
                              "maxLength": 317
                            }
                          }
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        },
        "topologySpreadConstraints": {
          "type": "array",
          "maxItems": 16,
          "unique": [
            "topologyKey",
            "whenUnsatisfiable"
          ],
          "items": {
            "type": "object",
            "required": [
              "maxSkew",
              "topologyKey",
              "whenUnsatisfiable"
            ],
            "rules": [
              {
                "message": "minDomains needs whenUnsatisfiable DoNotSchedule",
                "fieldPath": ".minDomains"
              }
            ],
            "properties": {
              "maxSkew": {
                "type": "integer",
                "minimum": 1,
                "maximum": 2147483647
              },
              "topologyKey": {
                "type": "string",
                "minLength": 1,
                "maxLength": 317
              },
              "whenUnsatisfiable": {
                "type": "string",
                "enum": [
                  "DoNotSchedule",
                  "ScheduleAnyway"
                ]
              },
              "labelSelector": {
                "type": "object",
                "properties": {
                  "matchLabels": {
                    "type": "object",
                    "maxProperties": 16,
                    "values": {
                      "type": "string",
                      "maxLength": 63
                    }
                  },
                  "matchExpressions": {
                    "type": "array",
                    "maxItems": 16,
                    "items": {
                      "type": "object",
                      "required": [
                        "key",
                        "operator"
                      ],
                      "rules": [
                        {
                          "message": "In and NotIn need values, Exists and DoesNotExist none",
                          "fieldPath": ".values"
                        }
                      ],
                      "properties": {
                        "key": {
                          "type": "string",
                          "minLength": 1,
                          "maxLength": 317
                        },
                        "operator": {
                          "type": "string",
                          "enum": [
                            "In",
                            "NotIn",
                            "Exists",
                            "DoesNotExist"
                          ]
                        },
                        "values": {
                          "type": "array",
                          "maxItems": 64,
                          "items": {
                            "type": "string",
                            "maxLength": 63
                          }
                        }
                      }
                    }
                  }
                }
              },
              "minDomains": {
                "type": "integer",
                "minimum": 1,
                "maximum": 2147483647
              },
              "nodeAffinityPolicy": {
                "type": "string",
                "enum": [
                  "Honor",
                  "Ignore"
                ]
              },
              "nodeTaintsPolicy": {
                "type": "string",
                "enum": [
                  "Honor",
                  "Ignore"
                ]
              },
              "matchLabelKeys": {
                "type": "array",
                "maxItems": 16,
                "items": {
                  "type": "string",
                  "maxLength": 317
                }
              }
            }
          }
        },
        "priorityClassName": {
          "type": "string",
          "default": "",
          "maxLength": 253
        },
        "podLabels": {
          "type": "object",
          "default": {},
          "maxProperties": 32,
          "rules": [
            {
              "message": "the labels kubearmor-app, operator.kubearmor.com/* and app.kubernetes.io/* belong to the operator",
              "fieldPath": ""
            }
          ],
          "values": {
            "type": "string",
            "maxLength": 63,
            "pattern": new RegExp("^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", "u"),
            "wanted": "More labels for the pods."
          }
        },
        "podAnnotations": {
          "type": "object",
          "default": {},
          "maxProperties": 64,
          "values": {
            "type": "string",
            "maxLength": 4096
          }
        },
        "securityContext": {
          "type": "object",
          "default": {},
          "rules": [
            {
              "message": "runAsUser 0 needs runAsNonRoot false",
              "fieldPath": ".runAsUser"
            }
          ],
          "properties": {
            "runAsUser": {
              "type": "integer",
              "minimum": 0,
              "maximum": 2147483647
            },
            "runAsGroup": {
              "type": "integer",
              "minimum": 0,
              "maximum": 2147483647
            },
            "runAsNonRoot": {
              "type": "boolean"
            },
            "fsGroup": {
              "type": "integer",
              "minimum": 0,
              "maximum": 2147483647
            },
            "fsGroupChangePolicy": {
              "type": "string",
              "enum": [
                "OnRootMismatch",
                "Always"
              ]
            },
            "supplementalGroups": {
              "type": "array",
              "maxItems": 32,
              "items": {
                "type": "integer",
                "minimum": 0,
                "maximum": 2147483647
              }
            },
            "supplementalGroupsPolicy": {
              "type": "string",
              "enum": [
                "Merge",
                "Strict"
              ]
            },
            "seLinuxOptions": {
              "type": "object",
              "properties": {
                "level": {
                  "type": "string",
                  "maxLength": 253
                },
                "role": {
                  "type": "string",
                  "maxLength": 253
                },
                "type": {
                  "type": "string",
                  "maxLength": 253
                },
                "user": {
                  "type": "string",
                  "maxLength": 253
                }
              }
            },
            "seLinuxChangePolicy": {
              "type": "string",
              "enum": [
                "MountOption",
                "Recursive"
              ]
            },
            "seccompProfile": {
              "type": "object",
              "required": [
                "type"
              ],
              "rules": [
                {
                  "message": "type Localhost needs localhostProfile, and the others have none",
                  "fieldPath": ".localhostProfile"
                }
              ],
              "properties": {
                "type": {
                  "type": "string",
                  "enum": [
                    "RuntimeDefault",
                    "Localhost",
                    "Unconfined"
                  ]
                },
                "localhostProfile": {
                  "type": "string",
                  "maxLength": 4096
                }
              }
            },
            "appArmorProfile": {
              "type": "object",
              "required": [
                "type"
              ],
              "rules": [
                {
                  "message": "type Localhost needs localhostProfile, and the others have none",
                  "fieldPath": ".localhostProfile"
                }
              ],
              "properties": {
                "type": {
                  "type": "string",
                  "enum": [
                    "RuntimeDefault",
                    "Localhost",
                    "Unconfined"
                  ]
                },
                "localhostProfile": {
                  "type": "string",
                  "maxLength": 4096
                }
              }
            },
            "sysctls": {
              "type": "array",
              "maxItems": 32,
              "unique": [
                "name"
              ],
              "items": {
                "type": "object",
                "required": [
                  "name",
                  "value"
                ],
                "properties": {
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 253
                  },
                  "value": {
                    "type": "string",
                    "maxLength": 253
                  }
                }
              }
            }
          }
        },
        "terminationGracePeriodSeconds": {
          "type": "integer",
          "default": 30,
          "minimum": 1,
          "maximum": 3600
        },
        "progressDeadlineSeconds": {
          "type": "integer",
          "minimum": 1,
          "maximum": 86400,
          "default": 600
        },
        "podTemplate": {
          "type": "object",
          "default": {},
          "properties": {
            "metadata": {
              "type": "object",
              "properties": {
                "labels": {
                  "type": "object",
                  "maxProperties": 32,
                  "rules": [
                    {
                      "message": "the labels kubearmor-app, operator.kubearmor.com/* and app.kubernetes.io/* belong to the operator",
                      "fieldPath": ""
                    }
                  ],
                  "values": {
                    "type": "string",
                    "maxLength": 63,
                    "pattern": new RegExp("^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", "u"),
                    "wanted": "More labels for the pods."
                  }
                },
                "annotations": {
                  "type": "object",
                  "maxProperties": 64,
                  "values": {
                    "type": "string",
                    "maxLength": 4096
                  }
                }
              }
            },
            "spec": {
              "type": "object",
              "keepsUnknown": true
            }
          }
        }
      }
    },
    "status": {
      "type": "object",
      "default": {
        "observedGeneration": -1
      },
      "properties": {
        "observedGeneration": {
          "type": "integer"
        },
        "conditions": {
          "type": "array",
          "maxItems": 16,
          "unique": [
            "type"
          ],
          "items": {
            "type": "object",
            "required": [
              "type",
              "status",
              "lastTransitionTime",
              "reason",
              "message"
            ],
            "properties": {
              "type": {
                "type": "string",
                "maxLength": 316
              },
              "status": {
                "type": "string",
                "enum": [
                  "True",
                  "False",
                  "Unknown"
                ]
              },
              "observedGeneration": {
                "type": "integer",
                "minimum": 0
              },
              "lastTransitionTime": {
                "type": "string"
              },
              "reason": {
                "type": "string",
                "minLength": 1,
                "maxLength": 1024
              },
              "message": {
                "type": "string",
                "maxLength": 32768
              }
            }
          }
        },
        "replicas": {
          "type": "integer",
          "minimum": -2147483648,
          "maximum": 2147483647
        },
        "updatedReplicas": {
          "type": "integer",
          "minimum": -2147483648,
          "maximum": 2147483647
        },
        "readyReplicas": {
          "type": "integer",
          "minimum": -2147483648,
          "maximum": 2147483647
        },
        "selector": {
          "type": "string"
        },
        "endpoint": {
          "type": "string"
        },
        "image": {
          "type": "string"
        },
        "stdout": {
          "type": "string"
        },
        "version": {
          "type": "string"
        },
        "agents": {
          "type": "object",
          "properties": {
            "seen": {
              "type": "integer",
              "minimum": 0,
              "maximum": 2147483647
            },
            "connected": {
              "type": "integer",
              "minimum": 0,
              "maximum": 2147483647
            }
          }
        },
        "loss": {
          "type": "object",
          "properties": {
            "dropped": {
              "type": "integer",
              "minimum": 0
            },
            "gaps": {
              "type": "integer",
              "minimum": 0
            }
          }
        },
        "relays": {
          "type": "array",
          "maxItems": 64,
          "unique": [
            "pod"
          ],
          "items": {
            "type": "object",
            "required": [
              "pod"
            ],
            "properties": {
              "pod": {
                "type": "string",
                "minLength": 1,
                "maxLength": 253
              },
              "version": {
                "type": "string",
                "maxLength": 253
              },
              "settings": {
                "type": "string",
                "maxLength": 64
              },
              "stdout": {
                "type": "string",
                "maxLength": 64
              },
              "agents": {
                "type": "object",
                "properties": {
                  "seen": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 2147483647
                  },
                  "connected": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 2147483647
                  }
                }
              },
              "loss": {
                "type": "object",
                "properties": {
                  "dropped": {
                    "type": "integer",
                    "minimum": 0
                  },
                  "gaps": {
                    "type": "integer",
                    "minimum": 0
                  }
                }
              },
              "problem": {
                "type": "string",
                "maxLength": 1024
              }
            }
          }
        }
      }
    }
  }
};
